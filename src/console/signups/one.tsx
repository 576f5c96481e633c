import type { Hono } from 'hono';
import { signupWorkflowId } from '../../contracts/ids.ts';
import type { SignupStory } from '../../queries/signup-story.ts';
import { loadSignupStory } from '../../queries/story-with-run.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { Time } from '../kit/format.tsx';
import { Status } from '../kit/status.tsx';
import { happened, pending, standing, storyPage } from '../kit/story.tsx';
import { momentAt, type Moment } from '../kit/timeline.tsx';

/** One signup: its whole story, and why it is waiting. */
export function signupPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  storyPage(app, deps, {
    section: '/ops/signups',
    noun: 'signup',
    load: loadSignupStory,
    workflowId: signupWorkflowId,
    status: ({ signup }) => signup.status,
    parts: (loaded) => {
      const { signup } = loaded.story;
      return [
        standing(loaded, [
          ['Status', <Status of={signup.status} />],
          ['Name', signup.name],
          ['Email', signup.email],
          ['Verified', signup.verifiedAt ? <Time at={signup.verifiedAt} exact /> : 'not yet'],
          ['Trial ends', signup.trialEndsAt ? <Time at={signup.trialEndsAt} exact /> : '–'],
          ['Subscribed', signup.subscribedAt ? <Time at={signup.subscribedAt} exact /> : 'not yet'],
        ]),
        pending(loaded, false),
        happened(loaded, signupMoments(loaded.story)),
      ];
    },
  });
}

const signupMoments = ({ signup: { createdAt, verifiedAt, subscribedAt } }: SignupStory): Moment[] => [
  ...momentAt(createdAt, 'busy', 'Signed up'),
  ...momentAt(verifiedAt, 'good', 'Address verified'),
  ...momentAt(subscribedAt, 'good', 'Subscribed'),
];
