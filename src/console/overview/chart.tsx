import { number } from '../kit/format.tsx';

const WIDTH = 300;
const HEIGHT = 64;

interface Point {
  at: Date;
  value: number;
  /** The list of what it counts. */
  href?: string;
}

/** How a series is drawn. */
interface Series {
  title: string;
  /** What the figure covers, e.g. `last hour`. */
  caption: string;
  figure: number;
  points: Point[];
  tone: 'accent' | 'good' | 'bad';
}

const clock = (at: Date): string => at.toISOString().slice(11, 16);

/** A series as bars, each leading to what it counts. The text is outside of the SVG, which is stretched. */
export const Chart = ({ title, caption, figure, points, tone }: Series) => {
  const most = Math.max(1, ...points.map(({ value }) => value));
  const peak = points.find(({ value }) => value === most);
  const slot = WIDTH / Math.max(1, points.length);
  const [first] = points;
  const last = points.at(-1);
  return (
    <figure class={`chart ${tone}`}>
      <figcaption>
        {title}
        <strong>{number(figure)}</strong>
        <span>{caption}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="group"
        aria-label={`${title}: ${number(figure)}, ${caption}${peak ? `, peak ${number(most)} at ${clock(peak.at)} UTC` : ''}`}
      >
        <line x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
        {points.map(({ at, value, href }, index) => {
          const height = value === 0 ? 0 : Math.max(2, (value / most) * (HEIGHT - 2));
          const says = `${clock(at)} UTC: ${number(value)}`;
          const bar = (
            <rect x={(index * slot + slot * 0.12).toFixed(2)} y={(HEIGHT - height).toFixed(2)} width={(slot * 0.76).toFixed(2)} height={height.toFixed(2)}>
              <title>{says}</title>
            </rect>
          );
          if (href === undefined || value === 0) return bar;
          return (
            <a href={href} aria-label={`${title}, ${says}`}>
              <rect class="slot" x={(index * slot).toFixed(2)} y="0" width={slot.toFixed(2)} height={HEIGHT} />
              {bar}
            </a>
          );
        })}
      </svg>
      <p aria-hidden="true">
        <span>{first ? clock(first.at) : ''}</span>
        <span>{peak ? `peak ${number(most)}` : 'none'}</span>
        <span>{last ? `${clock(last.at)} UTC` : ''}</span>
      </p>
    </figure>
  );
};
