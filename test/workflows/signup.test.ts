import { describe, expect, it } from 'vitest';
import { signupWorkflowId } from '../../src/contracts/ids.ts';
import { subscribeSignup, verifySignup } from '../../src/intake/signups.ts';
import { about, DAY, HOUR, useRig } from '../support/rig.ts';

const rig = await useRig();

async function signupWithToken(): Promise<{ id: string; address: string; token: string }> {
  const address = `${crypto.randomUUID()}@example.com`;
  const id = await rig.placeSignup(address);
  await rig.email(address, /verify/);
  return { id, address, token: rig.tokens(address)[0] ?? '' };
}

async function verify(id: string, token: string): Promise<void> {
  await verifySignup(rig.db, id, token);
  await rig.deliver();
}

async function trial(): Promise<string> {
  const { id, token } = await signupWithToken();
  await verify(id, token);
  await rig.signupStatus(id, 'trial');
  return id;
}

describe('a signup that is verified', () => {
  it('gets a welcome and no reminder, and its trial ends after 30 days with a reminder 7 days before', async () => {
    const { id, address, token } = await signupWithToken();
    await verify(id, token);
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'ended' });
    expect((await rig.signup(id)).status).toBe('ended');
    expect(await rig.timers(signupWorkflowId(id))).toEqual([about(23 * DAY), about(7 * DAY)]);
    expect(await rig.sent(id)).toEqual(['trial_ending', 'verification', 'welcome']);
    // An ended trial frees the address.
    const again = await rig.placeSignup(address);
    expect((await rig.signup(again)).status).toBe('pending_verification');
    rig.keepAs('signup-trial-ended', signupWorkflowId(id));
  });

  it('gets one reminder if it is verified on the second day, with the token of that reminder', async () => {
    const { id, address } = await signupWithToken();
    await rig.skip(25 * HOUR);
    await rig.email(address, /^Reminder/);
    const [, reminded] = rig.tokens(address);
    await verify(id, reminded ?? '');
    await rig.signupStatus(id, 'trial');
    expect(await rig.timers(signupWorkflowId(id))).toEqual([about(24 * HOUR)]);
    await rig.result(signupWorkflowId(id));
    expect(await rig.sent(id)).toEqual(['trial_ending', 'verification', 'verification_reminder', 'welcome']);
    rig.keepAs('signup-reminded', signupWorkflowId(id));
  });

  it('cannot be verified twice, by any of its tokens', async () => {
    const { id, address, token } = await signupWithToken();
    await rig.skip(25 * HOUR);
    await rig.email(address, /^Reminder/);
    await expect(verify(id, 'a'.repeat(43))).rejects.toMatchObject({ type: 'invalid_token' });
    await verify(id, token);
    for (const used of rig.tokens(address)) {
      await expect(verify(id, used)).rejects.toMatchObject({ type: 'invalid_token' });
    }
    await rig.signupStatus(id, 'trial');
  });

  it('does not expire if it was verified in time but the signal is late', async () => {
    const { id, token } = await signupWithToken();
    await rig.skip(6 * DAY);
    await verifySignup(rig.db, id, token);
    await rig.skip(2 * DAY);
    await rig.signupStatus(id, 'trial');
    await rig.deliver();
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'ended' });
    expect(await rig.sent(id)).toContain('welcome');
    rig.keepAs('signup-verified-told-late', signupWorkflowId(id));
  });
});

describe('a signup that is not verified', () => {
  it('is reminded after 24 h and 72 h, and expires after 7 days, which frees the address', async () => {
    const { id, address, token } = await signupWithToken();
    await expect(rig.placeSignup(address)).rejects.toMatchObject({ type: 'email_taken' });
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'expired' });
    expect((await rig.signup(id)).status).toBe('expired');
    expect(await rig.timers(signupWorkflowId(id))).toEqual([about(24 * HOUR), about(48 * HOUR), about(96 * HOUR)]);
    expect(await rig.sent(id)).toEqual(['verification', 'verification_reminder', 'verification_reminder']);
    await expect(verify(id, token)).rejects.toMatchObject({ type: 'signup_expired' });
    const again = await rig.placeSignup(address);
    expect((await rig.signup(again)).status).toBe('pending_verification');
    rig.keepAs('signup-expired', signupWorkflowId(id));
  });

  it('counts its deadlines from the signup, even if the emails are late', async () => {
    rig.inbox.faults.set({ mode: 'down' });
    const id = await rig.placeSignup();
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'expired' });
    // The others are delays before the next try of an email.
    const deadlines = (await rig.timers(signupWorkflowId(id))).filter((duration) => duration > HOUR);
    expect(deadlines.reduce((total, duration) => total + duration)).toEqual(about(7 * DAY));
    expect(await rig.sent(id)).toEqual([]);
  });
});

describe('a trial', () => {
  it('becomes a subscription, without further reminders', async () => {
    const id = await trial();
    await subscribeSignup(rig.db, rig.caller, id);
    await rig.deliver();
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'subscribed' });
    expect((await rig.signup(id)).status).toBe('subscribed');
    expect(await rig.sent(id)).toEqual(['verification', 'welcome']);
    rig.keepAs('signup-subscribed', signupWorkflowId(id));
  });

  it('can be subscribed to after its reminder', async () => {
    const id = await trial();
    await rig.skip(24 * DAY);
    await subscribeSignup(rig.db, rig.caller, id);
    await rig.deliver();
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'subscribed' });
    expect(await rig.sent(id)).toContain('trial_ending');
  });

  it('does not end if the person subscribed in time but the signal is late', async () => {
    const id = await trial();
    await rig.skip(29 * DAY);
    await subscribeSignup(rig.db, rig.caller, id);
    expect(await rig.result(signupWorkflowId(id))).toEqual({ status: 'subscribed' });
    expect((await rig.signup(id)).status).toBe('subscribed');
    rig.keepAs('signup-subscribed-told-late', signupWorkflowId(id));
  });
});
