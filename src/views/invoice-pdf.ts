import Pdf from 'pdfkit';
import { formatMoney } from '../contracts/money.ts';
import type { InvoiceRecord } from '../queries/orders.ts';

const LEFT = 56;
const RIGHT = 539;

/** @returns the number as printed on the invoice, e.g. `000042` */
export const formatInvoiceNumber = (number: number): string => String(number).padStart(6, '0');

/**
 * Rendered when it is asked for. What it shows does not change once the invoice is issued, so it is the same each time.
 * @returns the invoice as PDF: one A4 page, or more for long orders
 */
export async function renderInvoice({ number, issuedAt, order, items }: InvoiceRecord): Promise<Uint8Array> {
  const info = { Title: `Invoice ${formatInvoiceNumber(number)}`, CreationDate: issuedAt };
  const document = new Pdf({ size: 'A4', margin: LEFT, info });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => document.on('end', resolve));

  document.fontSize(20).text('Holdfast');
  document.fontSize(10).moveDown();
  document.text(`Invoice ${formatInvoiceNumber(number)}`);
  document.text(`Date ${issuedAt.toISOString().slice(0, 10)}`);
  document.text(`Order ${order.id}`).moveDown();
  document.text(order.customerName).text(order.line1);
  document.text(`${order.postalCode} ${order.city}`).text(order.country).moveDown(2);

  const row = (left: string, right: string) => {
    const { y } = document;
    document.text(left, LEFT, y, { width: 360 });
    const below = document.y;
    document.text(right, LEFT, y, { width: RIGHT - LEFT, align: 'right' });
    document.y = Math.max(below, document.y);
    document.moveDown(0.4);
  };
  for (const { quantity, name, unitAmount } of items) {
    row(`${quantity} × ${name}`, formatMoney(quantity * unitAmount, order.currency));
  }
  document.moveTo(LEFT, document.y).lineTo(RIGHT, document.y).stroke().moveDown(0.6);
  row('Total, paid', formatMoney(order.amount, order.currency));
  document.end();
  await ended;
  return Buffer.concat(chunks);
}
