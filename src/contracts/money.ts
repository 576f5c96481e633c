/** By currency. Making one takes far longer than using it. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const format = formats.get(currency) ?? new Intl.NumberFormat('en-IE', { style: 'currency', currency });
  formats.set(currency, format);
  return format;
}

/** @returns an amount in minor units as text, e.g. `€8.90` */
export function formatMoney(amount: number, currency: string): string {
  const format = formatOf(currency);
  // Not every currency has two decimals (ISO 4217): yen has none, dinar has three.
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** @returns an amount in minor units in its currency's major ones, with its decimals, e.g. `8.90`: for other programs */
export function decimalAmount(amount: number, currency: string): string {
  const decimals = formatOf(currency).resolvedOptions().maximumFractionDigits ?? 2;
  return (amount / 10 ** decimals).toFixed(decimals);
}

/** @returns the sum of amounts in minor units */
export const sumOf = (amounts: readonly { amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);
