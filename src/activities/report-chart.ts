import { html } from 'hono/html';
import { formatMoney } from '../contracts/money.ts';
import type { WeeklyFigures } from '../contracts/report.ts';

const WIDTH = 560;
const HEIGHT = 200;
const BASELINE = 165;
const TALLEST = 120;
const COLUMN = WIDTH / 7;

/** @returns a bar chart of the orders of each day, as a self-contained SVG document */
export async function renderWeekChart(week: string, { days, currency }: WeeklyFigures): Promise<string> {
  const most = Math.max(1, ...days.map(({ orders }) => orders));
  const bars = days.map(({ date, orders, captured }, day) => {
    const height = Math.round((orders / most) * TALLEST);
    const middle = Math.round(COLUMN * (day + 0.5));
    return html`<g>
      <title>${date}: ${orders} orders, ${formatMoney(captured, currency)}</title>
      <rect x="${middle - 24}" y="${BASELINE - height}" width="48" height="${height}" fill="#2f6f73" />
      <text x="${middle}" y="${BASELINE - height - 6}">${orders}</text>
      <text x="${middle}" y="${BASELINE + 18}">${date.slice(5)}</text>
    </g>`;
  });
  const chart = await html`<svg
      xmlns="http://www.w3.org/2000/svg"
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      width="${WIDTH}"
      height="${HEIGHT}"
      role="img"
      aria-label="Orders per day in ${week}"
      font-family="system-ui, sans-serif"
      font-size="12"
      text-anchor="middle"
      fill="#6b6b6b"
    >
      <text x="${WIDTH / 2}" y="16">Orders per day, ${week}</text>
      ${bars}
      <line x1="0" y1="${BASELINE}" x2="${WIDTH}" y2="${BASELINE}" stroke="#b5b5b5" />
    </svg>`;
  return chart.toString();
}
