import type { Font } from 'fontkit';

/** What the package takes, and its types do not name yet. */
declare global {
  namespace PDFKit.Mixins {
    interface PDFFont {
      registerFont(name: string, font: Font): this;
    }
  }
}
