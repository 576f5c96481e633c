import type { Hono } from 'hono';
import { signupWorkflowId } from '../../contracts/ids.ts';
import type { SignupStory } from '../../queries/signup-story.ts';
import { tellSignup } from '../../queries/told.ts';
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
    tell: tellSignup,
    workflowId: signupWorkflowId,
    status: ({ signup }) => signup.status,
    parts: (told) => {
      const { signup } = told.story;
      return [
        standing(told, [
          ['Status', <Status of={signup.status} />],
          ['Name', signup.name],
          ['Email', signup.email],
          ['Verified', signup.verifiedAt ? <Time at={signup.verifiedAt} exact /> : 'not yet'],
          ['Trial ends', signup.trialEndsAt ? <Time at={signup.trialEndsAt} exact /> : '–'],
          ['Subscribed', signup.subscribedAt ? <Time at={signup.subscribedAt} exact /> : 'not yet'],
        ]),
        pending(told, false),
        happened(told.story, signupMoments(told.story)),
      ];
    },
  });
}

const signupMoments = ({ signup: { createdAt, verifiedAt, subscribedAt } }: SignupStory): Moment[] => [
  ...momentAt(createdAt, 'busy', 'Signed up'),
  ...momentAt(verifiedAt, 'good', 'Address verified'),
  ...momentAt(subscribedAt, 'good', 'Subscribed'),
];
