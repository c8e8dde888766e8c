/** Line plots as SVG, readable on light and dark pages alike, with nothing but text and lines in them. */

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** `log2` for doublings, `log10` for values of many magnitudes; zero has no place on either. */
  readonly xScale: 'linear' | 'log2';
  readonly yScale: 'linear' | 'log10';
  /** A horizontal line, such as a goal. */
  readonly mark?: { readonly y: number; readonly name: string };
}

const WIDTH = 720;
const HEIGHT = 380;
const INSIDE = { left: 70, right: 700, top: 48, bottom: 290 };
/** Okabe and Ito's colours, which people see as different whatever colours they see. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const GREY = '#808080';

/** Draws a plot. @throws RangeError where there is no point to draw. */
export function svgOf(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points);
  if (points.length === 0) throw new RangeError('a plot needs at least one point');
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ys = [...points.map(({ y }) => y), ...(plot.mark ? [plot.mark.y] : [])];
  const yTicks = plot.yScale === 'log10' ? decades(ys) : evenTicks(Math.max(...ys));
  const toX = scale(plot.xScale === 'log2' ? Math.log2 : same, xs, INSIDE.left, INSIDE.right);
  const toY = scale(plot.yScale === 'log10' ? Math.log10 : same, yTicks, INSIDE.bottom, INSIDE.top);

  const parts = [
    text(INSIDE.left, 24, plot.title, 'font-size="15" font-weight="600"'),
    ...yTicks.flatMap((y) => [
      line(INSIDE.left, toY(y), INSIDE.right, toY(y), `stroke="${GREY}" stroke-opacity="0.3"`),
      text(INSIDE.left - 8, toY(y) + 4, shown(y), 'text-anchor="end"'),
    ]),
    ...xs.map((x) => text(toX(x), INSIDE.bottom + 20, shown(x), 'text-anchor="middle"')),
    text((INSIDE.left + INSIDE.right) / 2, INSIDE.bottom + 42, plot.xLabel, 'text-anchor="middle"'),
    `<text transform="translate(18 ${(INSIDE.top + INSIDE.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(plot.yLabel)}</text>`,
    ...(plot.mark ? markOf(plot.mark, toY(plot.mark.y)) : []),
    ...plot.series.flatMap((series, i) => seriesOf(series, i, plot.series.length, toX, toY)),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="${GREY}">`,
    `<title>${escaped(plot.title)}</title>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

type Scale = (value: number) => number;

const same = (value: number): number => value;

/** Places values between two edges. One value alone stands in the middle. */
function scale(by: Scale, values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [by(Math.min(...values)), by(Math.max(...values))];
  if (low === high) return () => (from + to) / 2;
  return (value) => Math.round(10 * (from + ((by(value) - low) / (high - low)) * (to - from))) / 10;
}

/** Zero and up to six round steps that reach `top`. */
function evenTicks(top: number): number[] {
  const rough = Math.max(top, Number.MIN_VALUE) / 5;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((size) => size >= rough)!;
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

/** Powers of ten around all values. */
function decades(values: readonly number[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}

function seriesOf(series: Series, index: number, count: number, toX: Scale, toY: Scale): string[] {
  const colour = COLOURS[index % COLOURS.length]!;
  const places = series.points.map(({ x, y }) => [toX(x), toY(y)] as const);
  const legendX = INSIDE.left + (index * (INSIDE.right - INSIDE.left)) / Math.max(4, count);
  return [
    `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`),
    line(legendX, HEIGHT - 20, legendX + 18, HEIGHT - 20, `stroke="${colour}" stroke-width="2"`),
    text(legendX + 24, HEIGHT - 16, series.name, ''),
  ];
}

const markOf = ({ name }: { name: string }, y: number): string[] => [
  line(INSIDE.left, y, INSIDE.right, y, `stroke="${GREY}" stroke-dasharray="6 4"`),
  text(INSIDE.right, y + 15, name, 'text-anchor="end"'),
];

const line = (x1: number, y1: number, x2: number, y2: number, rest: string): string =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${rest}/>`;

const text = (x: number, y: number, content: string, rest: string): string =>
  `<text x="${x}" y="${y}"${rest && ` ${rest}`}>${escaped(content)}</text>`;

const shown = (value: number): string => new Intl.NumberFormat('en').format(value);

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
