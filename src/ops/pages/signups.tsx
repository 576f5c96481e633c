import type { Context, Hono } from 'hono';
import { signupWorkflowId } from '../../contracts/ids.ts';
import { SIGNUP_STATUSES } from '../../contracts/statuses.ts';
import { notFound } from '../../intake/errors.ts';
import { searchSignups, signupSearchSchema } from '../search.ts';
import { tellSignup, type SignupStory, type ToldSignup } from '../signup-story.ts';
import type { PageDependencies, PageEnv } from './environment.ts';
import { queryOf } from './filters.ts';
import { shortId, Time, words } from './format.tsx';
import { Choice, Field } from './forms.tsx';
import { Empty, Facts, PageHead, Panel, Region, Table, type Regions } from './layout.tsx';
import { streamUpdates } from './live.ts';
import { inOrder, sharedMoments, type Moment } from './orders/timeline.ts';
import { Pending } from './pending.tsx';
import { describeIssues, pageCursor, pathId, respond } from './respond.tsx';
import { searchOf } from './search-form.ts';
import { Status } from './status.tsx';
import { Timeline, Waiting } from './timeline.tsx';

const PAGE = 50;

/** The signups: search, and each one's story. */
export function signupPages(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/signups', async (c) => {
    const typed = searchOf(c.req.query());
    const parsed = signupSearchSchema.safeParse(typed);
    const rows = await searchSignups(deps.db, parsed.data ?? {}, { limit: PAGE, cursor: pageCursor(c) });
    const shown = rows.slice(0, PAGE);
    const next = rows.length > PAGE ? shown.at(-1)?.id : undefined;
    return respond(c, deps, {
      title: 'Signups',
      section: '/ops/signups',
      ...(parsed.error
        ? { status: 422, flash: { kind: 'error', message: `The search was not used: ${describeIssues(parsed.error)}.` } }
        : {}),
      children: (
        <>
          <PageHead title="Signups" />
          <form method="get" class="filters" role="search" aria-label="Search signups">
            <Field label="Signup id" name="id" value={typed['id']} wide />
            <Field label="Email (exact)" name="email" type="email" value={typed['email']} wide />
            <Choice
              label="Status"
              name="status"
              any="any"
              value={typed['status']}
              options={SIGNUP_STATUSES.map((value) => ({ value, label: words(value) }))}
            />
            <button type="submit">Search</button>
            <a href="/ops/signups">Reset</a>
          </form>
          {shown.length === 0 ? (
            <Empty>Nothing matches.</Empty>
          ) : (
            <Table label="Signups" columns={['Signup', 'Name', 'Email', 'Begun', 'Moved', 'Status']}>
              {shown.map(({ id, name, email, createdAt, updatedAt, status }) => (
                <tr>
                  <th scope="row">
                    <a href={`/ops/signups/${id}`}>{shortId(id)}</a>
                  </th>
                  <td data-label="Name">{name}</td>
                  <td data-label="Email">{email}</td>
                  <td data-label="Begun">
                    <Time at={createdAt} />
                  </td>
                  <td data-label="Moved">
                    <Time at={updatedAt} />
                  </td>
                  <td data-label="Status">
                    <Status of={status} />
                  </td>
                </tr>
              ))}
            </Table>
          )}
          {next ? (
            <p>
              <a href={`/ops/signups${queryOf({ ...typed, cursor: next })}`} rel="next">
                Older signups
              </a>
            </p>
          ) : null}
        </>
      ),
    });
  });

  app.get('/signups/:id', async (c) => {
    const told = await read(c);
    const { signup } = told.story;
    const regions = regionsOf(told);
    return respond(c, deps, {
      title: `Signup ${shortId(signup.id)}`,
      section: '/ops/signups',
      live: `/ops/signups/${signup.id}/live`,
      children: (
        <>
          <PageHead title={`Signup ${shortId(signup.id)}`}>
            <p class="hint">
              <code>{signup.id}</code> · <a href={deps.runUrl(signupWorkflowId(signup.id))}>run in the Temporal Web UI</a>
            </p>
          </PageHead>
          <Region id="standing" of={regions} />
          <Panel title="What is pending" id="pending">
            <Region id="pending-now" of={regions} />
          </Panel>
          <Panel title="What happened" id="story" note={<span class="hint">Times are UTC.</span>}>
            <Region id="story-now" of={regions} />
          </Panel>
        </>
      ),
    });
  });

  app.get('/signups/:id/live', (c) =>
    streamUpdates(c, {
      every: 1_000,
      stopping: deps.stopping,
      read: async () => {
        const told = await read(c);
        const announcement = `The signup is ${words(told.story.signup.status)}.`;
        return { regions: regionsOf(told), announcement, done: false };
      },
    }),
  );

  async function read(c: Context<PageEnv>): Promise<ToldSignup> {
    const told = await tellSignup({ db: deps.db, client: deps.temporal }, pathId(c, 'signup'));
    if (!told) throw notFound('signup');
    return told;
  }
}

const regionsOf = (told: ToldSignup): Regions => ({
  standing: <Standing told={told} />,
  'pending-now': <Pending {...told} />,
  'story-now': <Timeline moments={signupTimeline(told.story)} />,
});

const Standing = ({ told: { story, waitingFor } }: { told: ToldSignup }) => {
  const { signup } = story;
  const open = story.failures.filter(({ failure }) => failure.status === 'open');
  return (
    <>
      <Waiting sentence={waitingFor} />
      <Facts
        of={[
          ['Status', <Status of={signup.status} />],
          ['Name', signup.name],
          ['Email', signup.email],
          ['Verified', signup.verifiedAt ? <Time at={signup.verifiedAt} exact /> : 'not yet'],
          ['Trial ends', signup.trialEndsAt ? <Time at={signup.trialEndsAt} exact /> : '–'],
          ['Subscribed', signup.subscribedAt ? <Time at={signup.subscribedAt} exact /> : 'not yet'],
          [
            'Failures',
            open.length === 0 ? (
              'none open'
            ) : (
              <>
                {open.map(({ failure: { id, kind, step } }) => (
                  <a href={`/ops/failures/${id}`}>
                    {words(kind)}: {words(step)}
                  </a>
                ))}
              </>
            ),
          ],
        ]}
      />
    </>
  );
};

function signupTimeline(story: SignupStory): Moment[] {
  const { createdAt, verifiedAt, subscribedAt } = story.signup;
  return inOrder([
    { at: createdAt, tone: 'busy', what: 'Signed up' },
    ...(verifiedAt ? [{ at: verifiedAt, tone: 'good' as const, what: 'Address verified' }] : []),
    ...(subscribedAt ? [{ at: subscribedAt, tone: 'good' as const, what: 'Subscribed' }] : []),
    ...sharedMoments(story),
  ]);
}
