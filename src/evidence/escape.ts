/** Escapes text for HTML and SVG, in elements and in quoted attributes. */
import { printable } from '../foreign-text.ts';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Line breaks and tabs stay, which are spaces outside of a block of fixed width; unsafe characters become visible. */
export function escapeHtml(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : printable(part)))
    .join('')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
