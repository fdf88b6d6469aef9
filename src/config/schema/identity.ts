/** `identity`: how the host learns who called. */
import { z } from 'zod';
import { flag, listOf, notation, section } from './field-types.ts';

const headerSets = ['rfc9440', 'nginx', 'ingress-nginx', 'aws', 'envoy', 'forwarded'] as const;

const headerSet = z
  .enum(headerSets, `any of ${headerSets.join(', ')}`)
  .meta({ allowed: `any of ${headerSets.join(', ')}` });

/** The gateway reads them itself (message/fields.ts), or EHI requires them. */
const needed = [
  ...['host', 'content-length', 'content-type', 'transfer-encoding', 'connection', 'expect'],
  ...['traceparent', 'tracestate'],
];

/** RFC 9110 §5.6.2, and a `*` at the end. */
const fieldName = notation({
  allowed: 'the name of a field such as X-User, or the beginning of names such as X-User-*',
  pattern: /^[!#$%&'+.^_`|~0-9A-Za-z-]+\*?$/,
}).refine((name) => !needed.includes(name.toLowerCase()), {
  error: `a field other than ${needed.join(', ')}, which the gateway or the host needs`,
});

export const identitySchema = section({
  headers: listOf(headerSet, 'header sets')
    .refine((sets) => new Set(sets).size === sets.length, 'each header set once')
    .prefault(['rfc9440'])
    .describe(
      'Which fields name the caller, beside `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id`: docs/identity.md lists them. Those of all sets are removed from requests, also where they are not set.',
    ),
  remove: z
    .array(fieldName, 'a list of names of fields')
    .max(256, 'a list of at most 256 names of fields')
    .meta({ allowed: 'a list of names of fields' })
    .prefault([])
    .describe(
      'Further fields that the host believes and no client may send; `X-User-*`: every name that begins so. They are removed from requests, in any case and with any separator, beside those of docs/removed-fields.md.',
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
