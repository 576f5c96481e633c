import { Counter } from 'prom-client';

/** Attempts to deliver a command, by what became of it; `pending` means that there will be another one. */
export const commandsSettled = new Counter({
  name: 'holdfast_commands_settled_total',
  help: 'Attempts to deliver a command to Temporal, by the state of the command afterwards.',
  labelNames: ['state'],
});
