/** @returns how amounts of a currency are written. Making one takes far longer than using it. */
export const moneyFormat = (currency: string): Intl.NumberFormat => new Intl.NumberFormat('en-IE', { style: 'currency', currency });

/** @returns an amount in minor units as text, e.g. `€8.90` */
export function writeMoney(amount: number, format: Intl.NumberFormat): string {
  // Not every currency has two decimals (ISO 4217): yen has none, dinar has three.
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
