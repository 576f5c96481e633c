import type { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { z } from 'zod';
import { FAULT_WORDS, faultText, SETTING_WORDS } from './fault-words.ts';
import { faultModes, modeSettings, type FaultPanel } from './faults.ts';
import type { SimulatorEnv } from './http.ts';
import { layout } from './layout.ts';

type Described = { title: string; about: string; panel: FaultPanel; entries: () => readonly { seq: number; at: string; type: string }[] };

/** Mounts the control routes of a simulator: the fault panel under `/_sandbox/faults` and the ledger at `/_sandbox/ledger`. */
export function mountControls(app: Hono<SimulatorEnv>, { panel, entries }: Pick<Described, 'panel' | 'entries'>): void {
  app.get('/_sandbox/ledger', (c) => c.json({ entries: entries() }));
  app.get('/_sandbox/faults', (c) => c.json({ fault: panel.current }));
  app.put('/_sandbox/faults', async (c) => {
    try {
      return c.json({ fault: panel.set(panel.parse(await c.req.json())) });
    } catch (error) {
      if (!(error instanceof z.ZodError) && !(error instanceof SyntaxError)) throw error;
      const message = error instanceof z.ZodError ? z.prettifyError(error) : 'The body is not JSON.';
      return c.json({ error: { code: 'invalid_fault', message } }, 400);
    }
  });
  app.delete('/_sandbox/faults', (c) => {
    panel.clear();
    return c.json({ fault: null });
  });
}

/** Mounts the web page at `/`: an introduction, the fault panel and the latest ledger entries. */
export function mountPage(app: Hono<SimulatorEnv>, described: Described): void {
  app.get('/', (c) => {
    const { title, about, panel, entries } = described;
    return c.html(
      layout(
        title,
        html`<p>${about}</p>
          ${faultControls(panel)}
          <section id="live">
            ${currentFault(panel)}
            <h2>Latest ledger entries</h2>
            <p><a href="/_sandbox/ledger">all as JSON</a></p>
            <table>
              ${entries()
                .slice(-30)
                .toReversed()
                .map(
                  ({ seq, at, type, ...rest }) =>
                    html`<tr><td>${seq}</td><td>${at}</td><td>${type}</td><td><code>${JSON.stringify(rest).slice(0, 300)}</code></td></tr>`,
                )}
            </table>
          </section>`,
      ),
    );
  });
}

/** Shows the current fault. */
export function currentFault(panel: FaultPanel) {
  return html`<p role="status">Now it <strong>${faultText(panel.current)}</strong>.</p>`;
}

/** The form that sets and clears the fault. */
export function faultControls(panel: FaultPanel) {
  return html`<form id="faults">
      <label>For the next … requests <input name="count" type="number" min="1" placeholder="until healed" /></label>
      <label>Share of requests, 0 to 1 <input name="rate" type="number" min="0" max="1" step="0.05" value="1" /></label>
      ${modeSettings.map(({ mode, setting }) => html`<label>${FAULT_WORDS[mode].button} ${SETTING_WORDS[setting] ?? setting} <input name="${mode}.${setting}" type="number" min="1" placeholder="default" /></label>`)}
      ${panel.operations.length > 0
        ? html`<label>Affects <select name="operation"><option value="">every request</option>${panel.operations.map((operation) => html`<option>${operation}</option>`)}</select></label>`
        : ''}
      <p>${faultModes.map((mode) => html`<button value="${mode}" title="${mode}">${FAULT_WORDS[mode].button}</button> `)}<button value="">Heal</button></p>
    </form>
    <script>
      ${raw(faultScript)}
    </script>`;
}

const faultScript = `
document.getElementById('faults').addEventListener('submit', async (event) => {
  event.preventDefault();
  const mode = event.submitter.value, fault = { mode };
  for (const [name, value] of new FormData(event.target)) {
    const [setting, of] = name.split('.').reverse();
    if (value && (!of || of === mode)) fault[setting] = setting === 'operation' ? value : Number(value);
  }
  const answer = await fetch('/_sandbox/faults', mode ? { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fault) } : { method: 'DELETE' });
  if (!answer.ok) alert((await answer.json()).error.message);
  await refresh();
});`;
