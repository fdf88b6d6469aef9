/** The identity of a connection's client, as sent to the host in fields and in the PROXY header. Made once, and reused. */
import type { Socket } from 'node:net';
import { isToken } from '../message/grammar.ts';
import { formatAddress, parseAddress } from '../source/address.ts';
import { formatProxyHeader, withoutZone } from '../source/proxy-writer.ts';
import type { Caller } from './caller.ts';
import type { IdentityFields } from './compiled-header-sets.ts';

/** The gateway's end of the client's connection. */
type LocalAddress = Pick<Socket, 'localAddress' | 'localPort'>;

export class ForwardedIdentity {
  readonly #caller: Caller;
  readonly #local: LocalAddress;
  #proxyHeader: Buffer | null = null;
  /** What `#fields` was made from. */
  #madeFrom: IdentityFields | null = null;
  #host: string | null = null;
  #fields = '';

  constructor(caller: Caller, local: LocalAddress) {
    this.#caller = caller;
    this.#local = local;
  }

  /**
   * The fields that identify the client to the host, each with its CRLF. Fields that the client sent under these names
   * were removed before (message/field-forwarding.ts), so values are never appended. `host`: the request's Host; null: none.
   */
  fields(identityFields: IdentityFields, host: string | null): string {
    if (this.#madeFrom !== identityFields || (this.#host !== host && identityFields.forwarded)) {
      const { permit, address } = this.#caller;
      const forwarded = identityFields.forwarded ? this.#forwarded(host) : '';
      this.#fields = `${identityFields.ofCertificate(permit)}${forwarded}X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: https\r\n`;
      this.#madeFrom = identityFields;
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

  /** RFC 7239 §4, §5: one element, for this hop only. */
  #forwarded(host: string | null): string {
    const { localAddress } = this.#local;
    const by = localAddress === undefined ? '' : `;by=${node(localAddress)}`;
    // The grammar of Host allows neither quotation marks nor backslashes (message/grammar.ts).
    const named = host === null ? '' : `;host=${isToken(host) ? host : `"${host}"`}`;
    return `Forwarded: for=${node(this.#caller.address)}${by}${named};proto=https\r\n`;
  }
}

/** RFC 7239 §6: an IPv6 address in brackets and quotation marks, and without its zone, which the grammar does not allow. */
function node(text: string): string {
  const address = parseAddress(withoutZone(text));
  if (address === null) return 'unknown';
  return address.family === 4 ? formatAddress(address) : `"[${formatAddress(address)}]"`;
}
