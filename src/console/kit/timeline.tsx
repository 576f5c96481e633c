import type { ActorNames } from '../../queries/actor-names.ts';
import { Actor, Time } from './format.tsx';
import { Empty } from './layout.tsx';
import type { Tone } from './status.tsx';

/** One thing that happened. */
export interface Moment {
  at: Date;
  tone: Tone;
  what: string;
  detail?: string | null | undefined;
  actor?: string | null | undefined;
  /** A page that says more. */
  href?: string;
}

/** @returns a moment when its time is known, else none */
export const momentAt = (at: Date | null, tone: Tone, what: string, detail?: string): Moment[] =>
  at ? [{ at, tone, what, detail }] : [];

/** What happened, oldest first. Moments of one transaction keep their order. */
export const Timeline = ({ moments, names }: { moments: Moment[]; names: ActorNames }) =>
  moments.length === 0 ? (
    <Empty>Nothing has happened yet.</Empty>
  ) : (
    <ol class="timeline">
      {moments
        .toSorted((a, b) => a.at.getTime() - b.at.getTime())
        .map(({ at, tone, what, detail, actor, href }) => (
          <li class={tone}>
            <Time at={at} exact />
            <div>
              {href ? <a href={href}>{what}</a> : <strong>{what}</strong>}
              {actor && actor !== 'holdfast' ? (
                <>
                  {' '}
                  by <Actor actor={actor} names={names} />
                </>
              ) : null}
              {detail ? <p>{detail}</p> : null}
            </div>
          </li>
        ))}
    </ol>
  );
