/** Makes foreign text safe for a terminal: from a certificate, a peer, or a file name. */
export { printable } from '../foreign-text.ts';
