import { z } from 'zod';
import { faultSchema, type Fault } from './simulators/faults.ts';

const answerSchema = z.object({ fault: faultSchema.nullable() });

/** A fault as one asks for it: what is left out has its default. */
export type WantedFault = z.input<typeof faultSchema>;

const panelOf = (simulatorUrl: string): URL => new URL('/_sandbox/faults', simulatorUrl);

/** @returns the fault of a simulator, or null. @throws if it does not answer */
export async function readFault(simulatorUrl: string): Promise<Fault | null> {
  const response = await fetch(panelOf(simulatorUrl));
  return answerSchema.parse(await response.json()).fault;
}

/** Sets the fault of a simulator; null clears it. @throws if it does not answer, or refuses */
export async function setFault(simulatorUrl: string, fault: WantedFault | null): Promise<void> {
  const set = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fault) };
  const response = await fetch(panelOf(simulatorUrl), fault ? set : { method: 'DELETE' });
  if (!response.ok) throw new Error(`The fault panel answered ${response.status}: ${await response.text()}`);
}
