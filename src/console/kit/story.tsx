import type { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import type { CommandState, OrderStatus, SignupStatus } from '../../contracts/statuses.ts';
import { readActorNames, type ActorNames } from '../../queries/actor-names.ts';
import type { CommandRecord } from '../../queries/commands.ts';
import { actorsIn, type EmailRecord, type SharedStory } from '../../queries/story.ts';
import type { StoryWithRun } from '../../queries/story-with-run.ts';
import type { Command } from '../../records/commands.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { failureMoments, failureName } from './failure.tsx';
import { capital, CopyId, shortId, words, Zone } from './format.tsx';
import { Facts, type Fact, type Section } from './layout.tsx';
import { livePage, type Part } from './live.tsx';
import { Pending } from './pending.tsx';
import { pathId } from './respond.tsx';
import { TONES } from './status.tsx';
import { Timeline, type Moment } from './timeline.tsx';

/** A story, and the names of those who acted in it. */
export interface NamedStory<Story> extends StoryWithRun<Story> {
  names: ActorNames;
}

/** The story of one order or signup. */
export interface StoryPage<Story extends SharedStory> {
  section: Section;
  noun: 'order' | 'signup';
  load: (deps: PageDependencies, id: string) => Promise<StoryWithRun<Story>>;
  workflowId: (id: string) => string;
  status: (story: Story) => OrderStatus | SignupStatus;
  /** Who acted, besides those of its commands and failures. */
  actors?: (story: Story) => (string | null)[];
  parts: (loaded: NamedStory<Story>, session: Session) => Part[];
}

/** Adds the page of a story. It is live. */
export function storyPage<Story extends SharedStory>(app: Hono<PageEnv>, deps: PageDependencies, page: StoryPage<Story>): void {
  const { section, noun } = page;
  livePage(app, deps, `${section.replace('/ops', '')}/:id`, {
    section,
    every: 1_000,
    read: async (c) => {
      const id = pathId(c, noun);
      const loaded = await page.load(deps, id);
      const actors = [...(page.actors?.(loaded.story) ?? []), ...actorsIn(loaded.story)];
      return { id, loaded: { ...loaded, names: await readActorNames(deps.db, actors) } };
    },
    title: ({ id }) => `${capital(noun)} ${shortId(id)}`,
    hint: ({ id }) => (
      <>
        <code>{id}</code> <CopyId id={id} /> · <a href={deps.runUrl(page.workflowId(id))}>Open in the Temporal Web UI</a>
      </>
    ),
    parts: ({ loaded }, session) => page.parts(loaded, session),
    announce: ({ loaded }) => `${capital(noun)}: ${words(page.status(loaded.story))}.`,
  });
}

/** Why it is waiting, and its facts. */
export const standing = ({ story, waitingFor }: StoryWithRun<SharedStory>, facts: Fact[]): Part => ({
  id: 'standing',
  content: (
    <>
      {waitingFor === null ? null : (
        <p class="waiting">
          <b>Why is it waiting?</b> {waitingFor}
        </p>
      )}
      <Facts of={[...facts, ['Open failures', <OpenFailures of={story} />]]} />
    </>
  ),
});

const OpenFailures = ({ of: { failures } }: { of: SharedStory }) => {
  const open = failures.filter(({ failure }) => failure.status === 'open');
  if (open.length === 0) return <>none</>;
  return (
    <>
      {open.map(({ failure }) => (
        <div>
          <a href={`/ops/failures/${failure.id}`}>{failureName(failure)}</a>
        </div>
      ))}
    </>
  );
};

/** The activities that its run is executing. */
export const pending = (loaded: Pick<StoryWithRun<unknown>, 'temporal' | 'run'>, awaitsDecision: boolean): Part => ({
  id: 'pending',
  title: 'Pending activities',
  content: <Pending {...loaded} awaitsDecision={awaitsDecision} />,
});

/** Its timeline: its own moments, and those that all stories share. */
export const happened = ({ story, names }: NamedStory<SharedStory>, moments: Moment[]): Part => ({
  id: 'story',
  title: 'What happened',
  note: utc,
  content: <Timeline moments={[...moments, ...sharedMoments(story)]} names={names} />,
});

const utc: Child = (
  <span class="hint">
    <Zone />
  </span>
);

/** What each command asks of the workflow. */
const COMMANDS: Record<Command['type'], string> = {
  start_order: 'Start requested',
  cancel_order: 'Cancellation requested',
  decide_approval: 'Approval decided',
  resolve_failure: 'Retry or cancellation requested',
  settle_compensation: 'Compensation settled by hand',
  update_shipment: 'Carrier update received',
  reset_run: 'Reset requested',
  refund_again: 'Refund requested again',
  resend_email: 'Email requested again',
  start_signup: 'Start requested',
  verify_signup: 'Address verified',
  subscribe_signup: 'Subscription requested',
  start_bulk_action: 'Bulk action started',
  wake_bulk_action: 'Bulk action changed',
  watch_alert_group: 'Alert requested',
};

/** Also in the history of the order or of the failure, so these are listed only when they are not delivered. */
const REPEATED = ['cancel_order', 'resolve_failure', 'settle_compensation', 'reset_run', 'refund_again', 'resend_email'] satisfies Command['type'][];

const isRepeated = ({ type, state }: CommandRecord): boolean =>
  state === 'delivered' && REPEATED.some((repeated) => repeated === type);

const isCommandType = (type: string): type is Command['type'] => type in COMMANDS;

const DELIVERY: Record<CommandState, string> = {
  pending: ' (not delivered yet)',
  delivered: '',
  discarded: ' (discarded: the workflow had ended)',
  set_aside: ' (could not be delivered)',
};

const commandMoment = ({ type, state, createdAt, actor, lastError }: CommandRecord): Moment => ({
  at: createdAt,
  tone: state === 'delivered' ? 'quiet' : TONES[state],
  what: `${isCommandType(type) ? COMMANDS[type] : capital(words(type))}${DELIVERY[state]}`,
  detail: lastError,
  actor,
});

const emailMoment = ({ sentAt, template, status, subject, recipient }: EmailRecord): Moment =>
  status === 'suppressed'
    ? { at: sentAt, tone: 'warn', what: `Email suppressed: ${words(template)}`, detail: `${recipient} has had as many within 24 hours as it may.` }
    : { at: sentAt, tone: 'quiet', what: `Email: ${subject}`, detail: `to ${recipient}` };

/** @returns the emails, commands and failures of a story */
const sharedMoments = ({ emails, commands, failures }: SharedStory): Moment[] => [
  ...emails.map(emailMoment),
  ...commands.filter((command) => !isRepeated(command)).map(commandMoment),
  ...failures.flatMap((story) =>
    failureMoments(story).map((moment) => ({
      ...moment,
      what: `${moment.what} (${failureName(story.failure).toLowerCase()})`,
      href: `/ops/failures/${story.failure.id}`,
    })),
  ),
];
