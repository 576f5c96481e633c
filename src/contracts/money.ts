/** @returns an amount of minor units for a person to read, e.g. `€8.90` */
export function formatMoney(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en-IE', { style: 'currency', currency });
  // Not every currency has cents (ISO 4217): yen has none, dinar has three digits.
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
