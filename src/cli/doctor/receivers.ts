import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { whyNoAnswer } from '../../contracts/connection-errors.ts';
import { check, CheckFailed, type Finding } from './check.ts';

/** ms for one connection */
const TIMEOUT = 5_000;

/** What the receivers of alerts are called, and the variables that name them. */
const RECEIVERS = [
  { name: 'Alerts by webhook', variable: 'ALERT_WEBHOOK_URL' },
  { name: 'Alerts by Slack', variable: 'ALERT_SLACK_URL' },
];

/** @returns whether the receivers of alerts that are set can be connected to. Nothing is sent: any request might wake someone. */
export const examineReceivers = (environment: NodeJS.ProcessEnv): Promise<Finding[]> =>
  Promise.all(
    RECEIVERS.flatMap(({ name, variable }) => {
      const url = environment[variable];
      const fix = `Correct ${variable}, or allow connections to it.`;
      return url ? [check(name, () => connectTo(new URL(url), fix), fix)] : [];
    }),
  );

/** @throws CheckFailed that does not name the URL, which may be a secret */
async function connectTo({ protocol, hostname, port }: URL, fix: string): Promise<string> {
  // An IPv6 address is in brackets.
  const host = hostname.replaceAll(/[[\]]/g, '');
  const isSecure = protocol === 'https:';
  const socket = isSecure ? connectSecurely({ host, port: Number(port || 443) }) : connect({ host, port: Number(port || 80) });
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(TIMEOUT) });
    return 'can be connected to';
  } catch (error) {
    throw new CheckFailed(whyNoAnswer(error), fix);
  } finally {
    socket.destroy();
  }
}
