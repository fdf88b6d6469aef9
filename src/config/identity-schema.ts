/** `identity`: how the host learns who called. */
import { z } from 'zod';
import { flag, listOf, section } from './notation.ts';

const headerSets = ['rfc9440', 'nginx', 'ingress-nginx', 'aws', 'envoy', 'forwarded'] as const;

const headerSet = z
  .enum(headerSets, `any of ${headerSets.join(', ')}`)
  .meta({ allowed: `any of ${headerSets.join(', ')}` });

export const identitySchema = section({
  headers: listOf(headerSet, 'header sets')
    .refine((sets) => new Set(sets).size === sets.length, 'each header set once')
    .prefault(['rfc9440'])
    .describe(
      'Which fields name the caller, beside `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id`: docs/identity.md lists them. Those of all sets are removed from requests, also where they are not set.',
    ),
  chain: flag()
    .prefault(false)
    .describe('With `rfc9440`: `Client-Cert-Chain` too, the CAs between the leaf and the root.'),
})
  .superRefine(({ headers, chain }, context) => {
    if (!chain || headers.includes('rfc9440')) return;
    context.addIssue({
      code: 'custom',
      path: ['chain'],
      message: 'chain only with rfc9440 among the headers',
    });
  })
  .prefault({})
  .describe('How the host learns who called.');
