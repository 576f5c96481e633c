import type { WriteStream } from 'node:tty';

/** Shows a person what the stack is doing. */
export interface BootLog {
  /** Shows a step while it runs, and its outcome with the time taken. Passes on what `work` returns or throws. */
  step<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** Shows a line. */
  line(text: string): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Writes to a stream: on a terminal with a line below that shows what is under way. */
export function createBootLog(out: NodeJS.WriteStream | WriteStream): BootLog {
  const isTerminal = out.isTTY;
  const paint = (code: number, text: string) => (isTerminal ? `\u001B[${code}m${text}\u001B[0m` : text);
  const underWay = new Map<string, number>();
  let frame = 0;
  let spinner: NodeJS.Timeout | undefined;

  const clear = () => isTerminal && out.write('\r\u001B[K');
  const draw = () => {
    if (!isTerminal || underWay.size === 0) return;
    const names = [...underWay.keys()].join(', ');
    const seconds = Math.floor((performance.now() - Math.min(...underWay.values())) / 1_000);
    const text = `${frames[frame++ % frames.length]} ${names} … ${seconds} s`;
    out.write(`\r\u001B[K${text.slice(0, (out.columns || 80) - 1)}`);
  };
  const print = (text: string) => {
    clear();
    out.write(`${text}\n`);
    draw();
  };
  const begin = (name: string) => {
    underWay.set(name, performance.now());
    if (isTerminal) spinner ??= setInterval(draw, 80).unref();
  };
  const finish = (name: string, mark: string) => {
    const took = (performance.now() - (underWay.get(name) ?? 0)) / 1_000;
    underWay.delete(name);
    print(`${mark} ${name.padEnd(40)} ${`${took.toFixed(1)} s`.padStart(7)}`);
    if (underWay.size === 0) {
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
