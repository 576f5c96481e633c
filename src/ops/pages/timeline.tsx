import { Actor, Time } from './format.tsx';
import { Empty } from './layout.tsx';
import type { Moment } from './orders/timeline.ts';

/** What happened, the oldest first. */
export const Timeline = ({ moments }: { moments: Moment[] }) =>
  moments.length === 0 ? (
    <Empty>Nothing has happened yet.</Empty>
  ) : (
    <ol class="timeline">
      {moments.map(({ at, tone, what, detail, actor, href }) => (
        <li class={tone}>
          <Time at={at} exact />
          <div>
            {href ? <a href={href}>{what}</a> : <strong>{what}</strong>}
            {actor && actor !== 'holdfast' ? (
              <>
                {' '}
                by <Actor actor={actor} />
              </>
            ) : null}
            {detail ? <p>{detail}</p> : null}
          </div>
        </li>
      ))}
    </ol>
  );

/** What something waits for, in a sentence. */
export const Waiting = ({ sentence }: { sentence: string | null }) =>
  sentence === null ? null : (
    <p class="waiting">
      <b>Why is it waiting?</b> {sentence}
    </p>
  );
