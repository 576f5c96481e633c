import { describe, expect, it } from 'vitest';
import { createStartGate } from '../../src/dispatch/start-gate.ts';

const never = new AbortController().signal;

describe('the gate of the starts', () => {
  it('allows as many as there is room for, less those that are on their way', () => {
    const gate = createStartGate(() => 5);
    expect(gate.allowed()).toBe(5);
    const haveStarted = gate.begin(3);
    expect(gate.allowed()).toBe(2);
    haveStarted();
    expect(gate.allowed()).toBe(5);
  });

  it('allows a first one without room, and then waits', () => {
    const gate = createStartGate(() => -3);
    expect(gate.allowed()).toBe(1);
    gate.begin(1);
    expect(gate.allowed()).toBe(0);
  });

  it('opens once there is room, or after a while without it, or when it is told not to wait', async () => {
    let room = 0;
    const gate = createStartGate(() => room);
    gate.begin(1)();
    await gate.opened(AbortSignal.abort());
    await gate.opened(never);
    expect(gate.allowed()).toBe(1);

    gate.begin(1)();
    room = 9;
    await gate.opened(never);
    expect(gate.allowed()).toBe(9);
  });
});
