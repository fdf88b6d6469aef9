/** The rules of `routes[].bearer`: what contradicts it elsewhere, and what it leaves open. */
import type { Diagnostics } from '../diagnostic.ts';
import { type Fields, fieldsOf, isMapping, itemsOf } from '../yaml-values.ts';
import { removes } from './removed-names.ts';

export function checkBearer(
  { routes, identity }: { readonly routes: readonly Fields[]; readonly identity: Fields },
  { problems, warnings }: Diagnostics,
): void {
  const policies = routes.map(({ bearer }) => (isMapping(bearer) ? bearer : null));
  if (policies.every((bearer) => bearer === null)) return;
  for (const [index, name] of itemsOf(identity.remove).entries()) {
    if (!removes(name, 'authorization')) continue;
    problems.push({
      path: ['identity', 'remove', index],
      found: `${String(name)}: it removes the token of every message before it is judged`,
      allowed: 'names that do not match Authorization; routes[].bearer.pass: strip keeps it from the host',
    });
  }
  for (const [index, bearer] of policies.entries()) {
    if (bearer === null) continue;
    const path = ['routes', index, 'bearer'];
    if (itemsOf(bearer.audience).includes('any') || bearer.audience === 'any')
      warnings.push({
        path: [...path, 'audience'],
        found: 'any: a token that was issued for another service is accepted too',
        allowed: 'the identifier of the gateway at the authorization server',
      });
    if (bearer.requireBinding === false)
      warnings.push({
        path: [...path, 'requireBinding'],
        found: 'false: a stolen token without cnf is accepted from every client that the gateway admits',
        allowed: 'true, where the authorization server binds tokens to certificates',
      });
    checkIntrospection(bearer, [...path, 'introspection'], warnings);
  }
}

function checkIntrospection(bearer: Fields, path: readonly PropertyKey[], warnings: Diagnostics['warnings']) {
  const { auth, cache } = fieldsOf(bearer.introspection);
  if (cache === '0ms')
    warnings.push({
      path: [...path, 'cache'],
      found: '0ms: each message waits for the authorization server',
      allowed: 'a time for which a revoked token may still be accepted',
    });
  const { kind, algorithm } = fieldsOf(auth);
  if (kind === 'private_key_jwt' && typeof algorithm === 'string' && algorithm.startsWith('RS'))
    warnings.push({
      path: [...path, 'auth', 'algorithm'],
      found: `${algorithm}, whose padding (PKCS #1 v1.5) is deprecated`,
      allowed: 'PS256, ES256 or EdDSA, if the authorization server accepts it',
    });
}
