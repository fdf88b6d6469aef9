/** Colours of the command line: none where the stream is no terminal, or NO_COLOR is set. */
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** `stream`: where the text will be written; its settings, NO_COLOR and FORCE_COLOR decide whether escapes are added. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}
