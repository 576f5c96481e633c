import { html, raw } from 'hono/html';

/** The content of an email, ready to send. */
export interface Letter {
  subject: string;
  text: string;
  html: string;
}

/** What a letter says. */
export interface Content {
  subject: string;
  lines: string[];
  link?: { label: string; url: string } | undefined;
  /** SVG, in the HTML version only */
  picture?: string;
}

/** Gives all emails the same look. Text and HTML say the same. `html` escapes its values. */
export async function letter({ subject, lines, link, picture }: Content): Promise<Letter> {
  const text = [...lines, ...(link ? [`${link.label}: ${link.url}`] : []), 'Holdfast'].join('\n\n');
  const body = await html`<!doctype html>
    <html lang="en">
      <body style="font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 2em auto; color: #1c1c1c">
        ${lines.map((line) => html`<p>${line}</p>`)} ${picture ? raw(picture) : ''}
        ${link ? html`<p><a href="${link.url}">${link.label}</a></p>` : ''}
        <p style="color: #6b6b6b">Holdfast</p>
      </body>
    </html>`;
  return { subject, text, html: body.toString() };
}
