/** Comma-separated values (RFC 4180) that a spreadsheet reads as text: no cell can start a formula. */
import { printable } from './printable.ts';

export type Cell = string | number | boolean | null;

/** The columns are the keys of the first row; each line ends with CRLF. */
export function toCsv(columns: readonly string[], rows: readonly Readonly<Record<string, Cell>>[]): string {
  const lines = [
    columns.map(quote),
    ...rows.map((row) => columns.map((column) => cellOf(row[column] ?? null))),
  ];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function cellOf(value: Cell): string {
  return typeof value === 'string' ? quote(inert(printable(value))) : String(value ?? '');
}

/** Spreadsheets run what begins with one of these, also behind white space; an apostrophe makes it text. */
function inert(text: string): string {
  return /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

function quote(text: string): string {
  return /[",\r\n;\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
