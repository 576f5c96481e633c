// A process that claims a data folder when it is told to. It answers "claimed", or why it could not.
import { spawn } from 'node:child_process';
import { claimHome, type HomeClaim } from '../../src/sandbox/home.ts';
import { identify } from '../../src/sandbox/process-identity.ts';

const [home = ''] = process.argv.slice(2);
let claim: HomeClaim | undefined;

const orders: Record<string, () => Promise<string>> = {
  async claim() {
    claim = await claimHome(home);
    return 'claimed';
  },
  async release() {
    await claim?.release();
    return 'released';
  },
  /** Starts a process that goes on when this one is killed. */
  async spawn() {
    const { pid = 0 } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true });
    const identity = await identify(pid);
    if (identity) await claim?.record({ name: 'orphan', stopSignal: 'SIGTERM', identity });
    return String(pid);
  },
};

process.on('message', (order: string) => {
  void orders[order]?.().then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.(String(error)),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
