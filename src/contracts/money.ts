import { moneyFormat, writeMoney } from './money-format.ts';

/** By currency. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const format = formats.get(currency) ?? moneyFormat(currency);
  formats.set(currency, format);
  return format;
}

/** @returns an amount in minor units as text, e.g. `€8.90` */
export const formatMoney = (amount: number, currency: string): string => writeMoney(amount, formatOf(currency));

/** @returns an amount in minor units in its currency's major ones, with its decimals, e.g. `8.90`: for other programs */
export function decimalAmount(amount: number, currency: string): string {
  const decimals = formatOf(currency).resolvedOptions().maximumFractionDigits ?? 2;
  return (amount / 10 ** decimals).toFixed(decimals);
}

/** @returns the sum of amounts in minor units */
export const sumOf = (amounts: readonly { amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);
