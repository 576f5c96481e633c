import Pdf from 'pdfkit';
import { formatMoney } from '../contracts/money.ts';
import type { InvoiceRecord } from '../queries/orders.ts';
import { mainFont, runsOf } from './fonts.ts';

const LEFT = 56;
const RIGHT = 539;
/** of the text, in points */
const SIZE = 10;

/** What an invoice shows. */
interface Invoice extends Pick<InvoiceRecord, 'number' | 'issuedAt'> {
  order: Pick<InvoiceRecord['order'], 'id' | 'customerName' | 'line1' | 'city' | 'postalCode' | 'country' | 'amount' | 'currency'>;
  items: Pick<InvoiceRecord['items'][number], 'name' | 'quantity' | 'unitAmount'>[];
}

/** @returns the number as printed on the invoice, e.g. `000042` */
export const formatInvoiceNumber = (number: number): string => String(number).padStart(6, '0');

/**
 * Rendered when it is asked for. What it shows does not change once the invoice is issued, so it is the same each time.
 * @returns the invoice as PDF: one A4 page, or more for long orders
 */
export async function renderInvoice({ number, issuedAt, order, items }: Invoice): Promise<Uint8Array> {
  const info = { Title: `Invoice ${formatInvoiceNumber(number)}`, CreationDate: issuedAt };
  const document = new Pdf({ size: 'A4', margin: LEFT, info });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => document.on('end', resolve));

  write(document, 'Holdfast', { size: 20 });
  document.fontSize(SIZE).moveDown();
  write(document, `Invoice ${formatInvoiceNumber(number)}`);
  write(document, `Date ${issuedAt.toISOString().slice(0, 10)}`);
  write(document, `Order ${order.id}`);
  document.moveDown();
  for (const line of [order.customerName, order.line1, `${order.postalCode} ${order.city}`, order.country]) write(document, line);
  document.moveDown(2);

  const row = (left: string, right: string) => {
    const { y } = document;
    document.x = LEFT;
    write(document, left, { width: 360 });
    const below = document.y;
    document.x = LEFT;
    document.y = y;
    write(document, right, { width: RIGHT - LEFT, align: 'right' });
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

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}]/u;

/** Writes a text at the present position, in as many fonts as it needs. */
function write(
  document: PDFKit.PDFDocument,
  text: string,
  { size = SIZE, ...options }: PDFKit.Mixins.TextOptions & { size?: number } = {},
): void {
  const { ascent, unitsPerEm } = mainFont();
  // The same for all fonts, which differ in how high they rise above it.
  const baseline = (-size * ascent) / unitsPerEm;
  const runs = runsOf(text);
  for (const [index, { font, text: piece }] of runs.entries()) {
    document.registerFont(font.postscriptName, font).font(font.postscriptName, size);
    document.text(piece, {
      ...options,
      baseline,
      continued: index < runs.length - 1,
      // With `features`, the words are laid out together, and so in their order.
      ...(RIGHT_TO_LEFT.test(piece) && { features: [] }),
    });
  }
}
