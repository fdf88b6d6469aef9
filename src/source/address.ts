/** Reads and prints IP addresses and ranges, strictly: one spelling of IPv4, no zones, nothing ambiguous. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** IPv4 as an unsigned 32-bit number, IPv6 as an unsigned 128-bit one. */
export type Address =
  | { readonly family: 4; readonly value: number }
  | { readonly family: 6; readonly value: bigint };

/** A network: its first address, and how many of the leading bits are fixed. */
export type Range = Address & { readonly prefix: number };

const mappedBits = 96;
const mappedPrefix = 0xffffn;

/**
 * Reads an address in a socket's or an operator's spelling; null where it is none.
 *
 * An IPv4-mapped address becomes the IPv4 address it stands for (RFC 4291 §2.5.5.2), so that one range fits a caller
 * on single- and dual-stack listeners alike. A zone id (`fe80::1%eth0`) is refused: the same number means another
 * host on another link, so no list may name it. So is `::192.0.2.1`: an IPv4-compatible address (RFC 4291 §2.5.5.1,
 * deprecated) that ipaddr.js would read as a mapped one.
 */
export function parseAddress(text: string): Address | null {
  const ipv4 = ipv4Value(text);
  if (ipv4 >= 0) return { family: 4, value: ipv4 };
  const value = ipv6Value(text);
  if (value === null) return null;
  return value >> 32n === mappedPrefix
    ? { family: 4, value: Number(value & 0xffff_ffffn) }
    : { family: 6, value };
}

/**
 * Reads `address/prefix` or a bare address, which is a range of one; null where it is neither.
 *
 * Bits after the prefix must be zero: `10.0.0.1/8` is a slip, and which half of it is meant cannot be known. A mapped
 * range of /96 and longer becomes the IPv4 range; a shorter one would reach beyond the mapped addresses.
 */
export function parseRange(text: string): Range | null {
  const slash = text.indexOf('/');
  const spelled = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(spelled);
  if (address === null) return null;
  const bits = spelled.includes(':') ? 128 : 32;
  const stated = slash < 0 ? bits : canonicalNumber(text.slice(slash + 1), bits);
  const prefix = bits === 128 && address.family === 4 ? stated - mappedBits : stated;
  if (prefix < 0) return null;
  return hostBits(address, prefix) ? null : { ...address, prefix };
}

/** The one spelling of an address: dotted decimal, or RFC 5952. */
export function formatAddress(address: Address): string {
  const { family, value } = address;
  if (family === 4) return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  const bytes = Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
  return new ipaddr.IPv6([...bytes]).toRFC5952String();
}

/** Whoever has an IPv6 address has 2^64 of them (RFC 4291 §2.5.1). */
const IPV6_HOST_BITS = 64n;

/** What counts as one caller where callers are limited: an IPv4 address, the /64 of an IPv6 one, any other text as it is. */
export function networkOf(text: string): string {
  if (!text.includes(':')) return text;
  const address = parseAddress(text);
  return address?.family === 6 ? `${address.value >> IPV6_HOST_BITS}/64` : text;
}

/**
 * The number of a dotted-decimal IPv4 address, or -1: four octets without leading zeros (`010` is 8 to some readers
 * and 10 to others). By hand and without allocation, because it runs for every connection.
 */
export function ipv4Value(text: string): number {
  if (text.length < 7 || text.length > 15) return -1;
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x2e) {
      if (octet < 0 || octets === 3) return -1;
      value = value * 256 + octet;
      octets++;
      octet = -1;
    } else {
      const digit = code - 0x30;
      if (digit < 0 || digit > 9 || octet === 0) return -1;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return -1;
    }
  }
  return octets === 3 && octet >= 0 ? value * 256 + octet : -1;
}

/** A decimal number from 0 to `max` in its one spelling, or -1: no sign, no leading zero. */
export function canonicalNumber(text: string, max: number): number {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= max ? Number(text) : -1;
}

function ipv6Value(text: string): bigint | null {
  if (!isIPv6(text) || text.includes('%') || /^::[0-9]+\./.test(text)) return null;
  return ipaddr.IPv6.parse(text).parts.reduce((value, part) => (value << 16n) | BigInt(part), 0n);
}

function hostBits(address: Address, prefix: number): boolean {
  return address.family === 4
    ? address.value % 2 ** (32 - prefix) !== 0
    : BigInt.asUintN(128 - prefix, address.value) !== 0n;
}
