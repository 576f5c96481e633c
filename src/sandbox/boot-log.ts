import type { WriteStream } from 'node:tty';

/** Shows the user what the stack is doing. */
export interface BootLog {
  /** Shows a step while it runs, then its outcome and duration. Returns or throws what `work` does. */
  step<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** Prints a line. */
  line(text: string): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Logs to a stream. On a terminal, the last line shows which steps are running. */
export function createBootLog(out: NodeJS.WriteStream | WriteStream): BootLog {
  const isTerminal = out.isTTY;
  const paint = (code: number, text: string) => (isTerminal ? `\u001B[${code}m${text}\u001B[0m` : text);
  const running = new Map<string, number>();
  let frame = 0;
  let spinner: NodeJS.Timeout | undefined;

  const clear = () => isTerminal && out.write('\r\u001B[K');
  const draw = () => {
    if (!isTerminal || running.size === 0) return;
    const names = [...running.keys()].join(', ');
    const seconds = Math.floor((performance.now() - Math.min(...running.values())) / 1_000);
    const text = `${frames[frame++ % frames.length]} ${names} … ${seconds} s`;
    out.write(`\r\u001B[K${text.slice(0, (out.columns || 80) - 1)}`);
  };
  const print = (text: string) => {
    clear();
    out.write(`${text}\n`);
    draw();
  };
  const begin = (name: string) => {
    running.set(name, performance.now());
    if (isTerminal) spinner ??= setInterval(draw, 80).unref();
  };
  const finish = (name: string, mark: string) => {
    const took = (performance.now() - (running.get(name) ?? 0)) / 1_000;
    running.delete(name);
    print(`${mark} ${name.padEnd(40)} ${`${took.toFixed(1)} s`.padStart(7)}`);
    if (running.size === 0) {
      clearInterval(spinner);
      spinner = undefined;
    }
  };

  return {
    line: print,
    async step(name, work) {
      begin(name);
      try {
        const result = await work();
        finish(name, paint(32, '✔'));
        return result;
      } catch (error) {
        finish(name, paint(31, '✘'));
        throw error;
      }
    },
  };
}
