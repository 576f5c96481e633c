import type { SignupView } from '../../views/signup.ts';
import { links, SIGNUP_ID } from './ids.ts';

export const newSignup = { email: 'ada@example.com', name: 'Ada Lovelace' };

/** The address is not verified yet. */
export const pendingSignup: SignupView = {
  id: SIGNUP_ID,
  status: 'pending_verification',
  ...newSignup,
  verifiedAt: null,
  trialEndsAt: null,
  subscribedAt: null,
  createdAt: '2026-11-24T08:20:00.000Z',
  updatedAt: '2026-11-24T08:20:00.000Z',
  links: links.signup(SIGNUP_ID),
};

export const trialSignup: SignupView = {
  ...pendingSignup,
  status: 'trial',
  verifiedAt: '2026-11-24T08:24:31.000Z',
  trialEndsAt: '2026-12-24T08:24:31.000Z',
  updatedAt: '2026-11-24T08:24:31.200Z',
};

export const subscribedSignup: SignupView = {
  ...trialSignup,
  status: 'subscribed',
  subscribedAt: '2026-12-01T10:00:00.000Z',
  updatedAt: '2026-12-01T10:00:00.000Z',
};
