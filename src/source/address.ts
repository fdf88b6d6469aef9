/** Parses and formats IP addresses and ranges strictly: only unambiguous spellings, no zones. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** IPv4 as an unsigned 32-bit number, IPv6 as an unsigned 128-bit one. */
export type Address =
  | { readonly family: 4; readonly value: number }
  | { readonly family: 6; readonly value: bigint };

/** A network: its first address and the length of its prefix in bits. */
export type Range = Address & { readonly prefix: number };

const mappedBits = 96;
const mappedPrefix = 0xffffn;

/**
 * Parses an address of a socket or of the configuration; null if it is invalid.
 *
 * An IPv4-mapped address becomes the IPv4 address (RFC 4291 §2.5.5.2), so that one range matches a client on single-stack
 * and dual-stack listeners. A zone id (`fe80::1%eth0`) is invalid: such an address is unique only on one link. So is an
 * IPv4-compatible address (`::192.0.2.1`, RFC 4291 §2.5.5.1, deprecated), which ipaddr.js would parse as a mapped one.
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
 * Parses `address/prefix`, or a single address as a range of one; null if it is invalid.
 *
 * Bits after the prefix must be zero: in `10.0.0.1/8` it is unclear which half is wrong. An IPv4-mapped range of /96 or
 * longer becomes the IPv4 range; a shorter one is invalid, because it would include other addresses.
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

/** The canonical spelling of an address: dotted decimal, or RFC 5952. */
export function formatAddress(address: Address): string {
  const { family, value } = address;
  if (family === 4) return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  const bytes = Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
  return new ipaddr.IPv6([...bytes]).toRFC5952String();
}

/** A host with an IPv6 address can use its whole /64 (RFC 4291 §2.5.1). */
const IPV6_HOST_BITS = 64n;

/** The key of an address for limits per address: an IPv4 address, the /64 of an IPv6 address, any other text unchanged. */
export function networkOf(text: string): string {
  if (!text.includes(':')) return text;
  const address = parseAddress(text);
  return address?.family === 6 ? `${address.value >> IPV6_HOST_BITS}/64` : text;
}

/**
 * The number of a dotted-decimal IPv4 address, or -1. Leading zeros are invalid, because some parsers read `010` as 8.
 * Written without allocations, because it runs for every connection.
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

/** A decimal number from 0 to `max` without sign or leading zeros, or -1. */
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
