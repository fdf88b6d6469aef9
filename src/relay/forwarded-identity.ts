/** What the host is told of one connection's caller, in fields and in the PROXY header: made once, used for each message. */
import type { Socket } from 'node:net';
import { isToken } from '../message/grammar.ts';
import { formatAddress, parseAddress } from '../source/address.ts';
import { formatProxyHeader, withoutZone } from '../source/proxy-writer.ts';
import type { Caller } from './caller.ts';
import type { IdentityFields } from './identity-fields.ts';

/** The client's connection, as its own end names it. */
type Local = Pick<Socket, 'localAddress' | 'localPort'>;

export class ForwardedIdentity {
  readonly #caller: Caller;
  readonly #local: Local;
  #proxyHeader: Buffer | null = null;
  /** What `#fields` was made of. */
  #made: IdentityFields | null = null;
  #host: string | null = null;
  #fields = '';

  constructor(caller: Caller, local: Local) {
    this.#caller = caller;
    this.#local = local;
  }

  /**
   * The fields by which the host learns who called, each with its CRLF. What the client sent under these names was
   * removed (message/fields.ts), so they are set, never appended to. `host`: the message's Host; null: it has none.
   */
  fields(identityFields: IdentityFields, host: string | null): string {
    if (this.#made !== identityFields || (this.#host !== host && identityFields.forwarded)) {
      const { permit, address } = this.#caller;
      const forwarded = identityFields.forwarded ? this.#forwarded(host) : '';
      this.#fields = `${identityFields.ofCertificate(permit)}${forwarded}X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: https\r\n`;
      this.#made = identityFields;
      this.#host = host;
    }
    return this.#fields;
  }

  get proxyHeader(): Buffer {
    if (this.#proxyHeader === null) {
      const { connId, address, port } = this.#caller;
      const { localAddress, localPort } = this.#local;
      this.#proxyHeader = formatProxyHeader({
        source: port === null ? null : { address, port },
        destination:
          localAddress === undefined || localPort === undefined
            ? null
            : { address: localAddress, port: localPort },
        uniqueId: connId,
      });
    }
    return this.#proxyHeader;
  }

  /** RFC 7239 §4, §5: one element, for this hop alone. */
  #forwarded(host: string | null): string {
    const { localAddress } = this.#local;
    const by = localAddress === undefined ? '' : `;by=${node(localAddress)}`;
    // Host holds neither quotation marks nor backslashes (message/grammar.ts).
    const named = host === null ? '' : `;host=${isToken(host) ? host : `"${host}"`}`;
    return `Forwarded: for=${node(this.#caller.address)}${by}${named};proto=https\r\n`;
  }
}

/** RFC 7239 §6: an IPv6 address in brackets and quotation marks; without a zone, for which it has no place. */
function node(text: string): string {
  const address = parseAddress(withoutZone(text));
  if (address === null) return 'unknown';
  return address.family === 4 ? formatAddress(address) : `"[${formatAddress(address)}]"`;
}
