/** Numbers as the report shows them. */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const ms = (value: number): string => `${grouped.format(value)} ms`;
export const perCent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const times = (value: number): string => grouped.format(value);
export const ratio = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ×`;
export const megabytes = (value: number): string => `${grouped.format(value)} MB`;
export const hundredths = (value: number): string => value.toFixed(2);
export const tenths = (value: number): string => value.toFixed(1);

/** What stands where nothing was measured. */
export const NOTHING = '–';

/** A Markdown table: the first column is text, the others are aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map(line).join('\n');
}
