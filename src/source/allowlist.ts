/** Checks whether a list of networks contains an address, at a cost that does not grow with the length of the list. */
import { GatewayError } from '../errors.ts';
import { type Address, ipv4Value, parseAddress, parseRange } from './address.ts';

/** A compiled list of networks. */
export interface Allowlist {
  /** Returns false for text that is not an address. */
  contains(address: string): boolean;
}

/** The networks of one prefix length, as their leading bits. */
interface Layer<Key> {
  readonly shift: Key;
  readonly networks: Set<Key>;
}

/**
 * Groups the ranges by prefix length: a lookup costs one set lookup per length in use (at most 33 or 129).
 *
 * @throws GatewayError `RANGE` for an invalid range. Those of the configuration are rejected earlier, with their line.
 */
export function compileAllowlist(ranges: readonly string[]): Allowlist {
  const ipv4 = new Map<number, Layer<number>>();
  const ipv6 = new Map<number, Layer<bigint>>();
  for (const text of ranges) {
    const range = parseRange(text);
    if (range === null) {
      throw new GatewayError({ code: 'RANGE', side: 'internal', message: `not an address range: ${text}` });
    }
    if (range.family === 4) {
      const layer = layerOf(ipv4, range.prefix, 32 - range.prefix);
      layer.networks.add(leadingBits(range.value, layer.shift));
    } else {
      const layer = layerOf(ipv6, range.prefix, BigInt(128 - range.prefix));
      layer.networks.add(range.value >> layer.shift);
    }
  }
  const ipv4Layers = [...ipv4.values()];
  const ipv6Layers = [...ipv6.values()];
  return {
    contains(text) {
      const value = ipv4Value(text);
      if (value >= 0) return containsIpv4(ipv4Layers, value);
      const address: Address | null = parseAddress(text);
      if (address === null) return false;
      return address.family === 4
        ? containsIpv4(ipv4Layers, address.value)
        : ipv6Layers.some((layer) => layer.networks.has(address.value >> layer.shift));
    },
  };
}

function containsIpv4(layers: readonly Layer<number>[], value: number): boolean {
  for (const layer of layers) if (layer.networks.has(leadingBits(value, layer.shift))) return true;
  return false;
}

/**
 * The leading bits, shifted and not masked: masked keys would have zeros in their low bits, and V8 hashes a bigint by its
 * low 64 bits, so that all IPv6 networks would share one hash bucket. For IPv4, shifted keys stay small integers.
 */
function leadingBits(value: number, shift: number): number {
  // In JavaScript, a shift by 32 is a shift by 0.
  return shift === 32 ? 0 : value >> shift;
}

function layerOf<Key>(layers: Map<number, Layer<Key>>, prefix: number, shift: Key): Layer<Key> {
  const layer = layers.get(prefix) ?? { shift, networks: new Set<Key>() };
  layers.set(prefix, layer);
  return layer;
}
