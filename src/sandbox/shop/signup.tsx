import { Status } from '../../console/kit/status.tsx';
import type { SignupStatus } from '../../contracts/statuses.ts';
import type { Mail, Signup } from './backend.ts';
import { Live, Panel, PersonFields, ShownFields, type Shown } from './layout.tsx';

/** What a visitor has entered, to be shown again if it was refused. */
export interface SignupDraft {
  key: string;
  name: string;
  email: string;
}

const TEXTS: Record<SignupStatus, string> = {
  pending_verification: 'An email with a link and a code is on its way. Unless the address is verified in time, the signup expires.',
  verified: 'The address is verified. The trial begins.',
  trial: 'The trial has begun. Before it ends, there will be a reminder.',
  subscribed: 'Subscribed. The run has ended.',
  expired: 'Nobody verified the address in time.',
  ended: 'The trial has ended without a subscription.',
};

/** A signup that the visitor follows. */
export interface FollowedSignup {
  signup: Signup;
  runUrl: string | undefined;
  mails: Mail[];
}

export const SignupPanel = ({ draft, followed, shown }: { draft: SignupDraft; followed: FollowedSignup | undefined; shown: Shown }) => (
  <Panel id="signup" title="Sign up">
    {followed ? <Followed {...followed} shown={shown} /> : null}
    <form method="post" action="/shop/signups" class="stack">
      <ShownFields shown={shown} />
      <input type="hidden" name="key" value={draft.key} autocomplete="off" />
      <PersonFields person={draft} />
      <button type="submit">Sign up</button>
    </form>
  </Panel>
);

const Followed = ({ signup, runUrl, mails, shown }: FollowedSignup & { shown: Shown }) => (
  <>
    <Live id="signup-now" status>
      <p class="now">
        <Status of={signup.status} />{' '}
        <span>
          {signup.email}: {TEXTS[signup.status]}
        </span>
      </p>
    </Live>
    <Live id="signup-links">
      <ul class="links">
        {mails.map(({ subject, url }) => (
          <li>
            <a href={url}>Mail: {subject}</a>
          </li>
        ))}
        {runUrl !== undefined && mails.length > 0 ? (
          <li>
            <a href={runUrl}>Its run in Temporal</a>
          </li>
        ) : null}
        <li>
          <a href={`/ops/signups/${signup.id}`}>Operator’s page</a>
        </li>
      </ul>
    </Live>
    <Live id="signup-actions">
      {signup.status === 'pending_verification' ? (
        <form method="post" action={`/shop/signups/${signup.id}/verification`} class="row">
          <ShownFields shown={shown} />
          <label>
            Code from the email
            <input name="token" required maxlength={200} autocomplete="off" spellcheck={false} />
          </label>
          <button type="submit">Verify</button>
        </form>
      ) : null}
      {signup.status === 'trial' ? (
        <form method="post" action={`/shop/signups/${signup.id}/subscription`}>
          <ShownFields shown={shown} />
          <button type="submit">Subscribe</button>
        </form>
      ) : null}
    </Live>
  </>
);
