/** The files that a configuration names. */
import { isAbsolute } from 'node:path';
import type { ConfigParts } from '../parse.ts';
import { keySourcesIn } from './key-sources.ts';

/** Absolute paths of every file that is read at a load, as far as the part that names it is valid. */
export function filesOf(parts: ConfigParts): Set<string> {
  const { certificates, resumption, trust, routes, audit, tracing } = parts;
  const { anchors = [], candidates = [] } = trust ?? {};
  const upstreams = routes.flatMap(({ endpoints }) => endpoints.flatMap(({ entry: { tls } }) => tls ?? []));
  const introspections = routes.flatMap(({ bearer }) => bearer?.introspection ?? []);
  const servers = certificates.map(({ entry }) => entry);
  const clients = upstreams.flatMap(({ certificate }) => certificate ?? []);
  const files = [
    ...[...servers, ...clients].flatMap(({ chain, key, passphraseFile }) => [chain, key, passphraseFile]),
    ...upstreams.map(({ ca }) => ca),
    resumption?.secretFile,
    audit?.seal?.key,
    tracing?.headersFile,
    tracing?.tls?.ca,
    ...introspections.flatMap(({ ca, auth: { secretFile, keyFile, chain, key, passphraseFile } }) => [
      ...[ca, secretFile, keyFile],
      ...[chain, key, passphraseFile],
    ]),
    ...routes.map(({ signature }) => signature?.hmac?.secretFile),
    ...keySourcesIn(parts).flatMap(({ entry: { ca, file } }) => [ca, file]),
    ...[...anchors, ...candidates].flatMap(({ files = [], tls, revocation: { crl } }) => [
      ...files,
      tls?.ca,
      ...(Array.isArray(crl) ? crl.filter((source) => isAbsolute(source)) : []),
    ]),
  ];
  return new Set(files.filter((path) => path !== undefined));
}
