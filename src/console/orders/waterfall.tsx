import { took } from '../../contracts/duration-format.ts';
import { FINAL_ORDER_STATUSES } from '../../contracts/statuses.ts';
import { attemptsOf, countAttempts, happened, leftOut, type Attempt, type AttemptEvent, type AttemptHistory, type Counted } from '../../queries/attempts.ts';
import type { OrderStory, StepRecord } from '../../queries/order-story.ts';
import { capital, ErrorText, plural, Time, words } from '../kit/format.tsx';
import { Empty } from '../kit/layout.tsx';
import { SPENT, spansOf, totals, type Span } from './spans.ts';

/** Of the drawing, which is stretched. Spans that are too short to see are drawn this wide. */
const WIDTH = 1_000;
const NARROWEST = 6;
const HEIGHT = 16;

/** One line of the waterfall: a step, a compensation, a call, or an email that had trouble. */
interface Lane {
  name: string;
  history: Pick<AttemptHistory, 'kind' | 'step'> & Counted;
  spans: Span[];
}

const nameOf = ({ kind, step }: Pick<AttemptHistory, 'kind' | 'step'>): string =>
  ({
    step: words(step),
    compensation: `undo ${words(step)}`,
    email: `email: ${words(step)}`,
    withdrawal: 'withdraw the parcel',
    refund: 'refund again',
  })[kind];

/** Until when a step is not over: until its compensation began, or its order ended, or now. */
function openUntil({ order, steps }: OrderStory, { step, kind, generation, state }: StepRecord): Date | undefined {
  if (state === 'done' || state === 'undone' || state === 'refused') return undefined;
  const undo = steps.find((other) => other.kind === 'compensation' && other.step === step && other.generation === generation);
  if (kind === 'step' && undo) return undo.startedAt;
  return generation < order.generation || FINAL_ORDER_STATUSES.includes(order.status) ? order.updatedAt : new Date();
}

function lanesOf(story: OrderStory, generation: number): Lane[] {
  const troubled = story.emailAttempts.filter(({ events }) => events.some(({ type }) => type === 'failed'));
  return [
    ...story.steps.map((step) => ({ ...step, openUntil: openUntil(story, step) })),
    ...story.calls.map((call) => ({ ...call, openUntil: call.isUnderWay ? new Date() : undefined })),
    ...troubled.map((email) => ({ ...email, openUntil: undefined })),
  ]
    .filter((attempted) => attempted.generation === generation)
    .map((attempted) => ({ name: nameOf(attempted), history: attempted, spans: spansOf(attempted) }))
    .toSorted((one, other) => startOf(one) - startOf(other));
}

const startOf = ({ history: { events } }: Lane): number => events[0]?.at.getTime() ?? 0;

/** What the drawing covers, in ms since 1970. */
interface Extent {
  from: number;
  to: number;
}

/** Where the time of an order went, step by step. Each step unfolds its attempts. */
export const Waterfall = ({ story }: { story: OrderStory }) => {
  const generations = [...new Set(story.steps.map(({ generation }) => generation))];
  if (generations.length === 0) return <Empty>No step has started yet.</Empty>;
  return (
    <>
      <p class="legend" aria-hidden="true">
        {SPENT.map((spent) => (
          <span class={`time-${spent}`}>{spent}</span>
        ))}
      </p>
      {generations.map((generation) => (
        <Generation story={story} generation={generation} isOnly={generations.length === 1} />
      ))}
    </>
  );
};

const Generation = ({ story, generation, isOnly }: { story: OrderStory; generation: number; isOnly: boolean }) => {
  const lanes = lanesOf(story, generation);
  const accepted = story.statuses.find((status) => status.generation === generation)?.at.getTime();
  const starts = lanes.flatMap(({ spans }) => spans.map(({ from }) => from));
  const first = Math.min(...starts);
  const from = Math.min(accepted ?? first, first);
  const extent: Extent = { from, to: Math.max(from + 1, ...lanes.flatMap(({ spans }) => spans.map(({ to }) => to))) };
  const queued: Span[] = first > from && Number.isFinite(first) ? [{ spent: 'waiting', from, to: first }] : [];
  return (
    <>
      {isOnly ? null : <h3>Generation {generation}</h3>}
      <ol class="waterfall">
        {queued.length > 0 ? (
          <li>
            <div class="lane">
              <Bar name="start" spans={queued} extent={extent} />
            </div>
          </li>
        ) : null}
        {lanes.map(({ name, history, spans }) => (
          <li>
            <details>
              <summary class="lane">
                <Bar name={name} spans={spans} extent={extent} attempts={countAttempts(history)} />
              </summary>
              <Attempts of={history} />
            </details>
          </li>
        ))}
      </ol>
    </>
  );
};

/** A name, its time as a drawing, and the same in words. */
const Bar = ({ name, spans, extent, attempts = 0 }: { name: string; spans: Span[]; extent: Extent; attempts?: number }) => {
  const inWords = totals(spans)
    .map(({ spent, ms }) => `${took(ms)} ${spent}`)
    .join(', ');
  return (
    <>
      <span class="name">{name}</span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${name}: ${inWords || 'no time'}`}>
        {spans.map((span) => (
          <Drawn span={span} extent={extent} />
        ))}
      </svg>
      <span class="took">
        {inWords}
        {attempts > 1 ? `; ${plural(attempts, 'attempt')}` : ''}
      </span>
    </>
  );
};

/** Each kind has a height of its own as well as a colour. */
const HEIGHTS: Record<Span['spent'], number> = { working: HEIGHT, retrying: HEIGHT / 2, waiting: HEIGHT / 5 };

const Drawn = ({ span: { spent, from, to }, extent }: { span: Span; extent: Extent }) => {
  const scale = WIDTH / (extent.to - extent.from);
  const width = Math.max(NARROWEST, (to - from) * scale);
  const x = Math.min((from - extent.from) * scale, WIDTH - width);
  const height = HEIGHTS[spent];
  return (
    <rect class={`time-${spent}`} x={x.toFixed(1)} y={((HEIGHT - height) / 2).toFixed(1)} width={width.toFixed(1)} height={height.toFixed(1)}>
      <title>{`${took(to - from)} ${spent}`}</title>
    </rect>
  );
};

/** What belongs to no attempt of its own. */
const isBetween = ({ type }: AttemptEvent): boolean => type === 'exhausted' || type === 'settled';

const Attempts = ({ of }: { of: Lane['history'] }) => {
  const attempts = attemptsOf(of.events).map((attempt) => ({ at: attempt.startedAt, line: <AttemptLine of={of} attempt={attempt} /> }));
  const others = of.events.filter(isBetween).map((event) => ({ at: event.at, line: capital(happened(of, event)) }));
  const more = leftOut(of);
  const unrecorded = more ? [{ at: more.after, line: plural(more.count, 'more attempt') }] : [];
  return (
    <ol class="attempts">
      {[...attempts, ...others, ...unrecorded]
        .toSorted((one, other) => one.at.getTime() - other.at.getTime())
        .map(({ at, line }) => (
          <li>
            <Time at={at} exact /> <div>{line}</div>
          </li>
        ))}
    </ol>
  );
};

const AttemptLine = ({ of, attempt: { attempt, startedAt, end, worker } }: { of: Lane['history']; attempt: Attempt }) => {
  const event: AttemptEvent = end ?? { type: 'started', attempt, at: startedAt, worker, durationMs: null, errorType: null, errorMessage: null };
  return (
    <>
      <strong>{capital(happened(of, event))}</strong>
      {end?.durationMs === null || end === undefined ? null : ` after ${took(end.durationMs)}`}
      {event.errorType ? (
        <p>
          <ErrorText type={event.errorType} message={event.errorMessage} />
        </p>
      ) : null}
      {worker ? (
        <p class="hint">
          on <code>{worker}</code>
        </p>
      ) : null}
    </>
  );
};
