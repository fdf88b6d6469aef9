/** `identity`: how the upstream host gets the client's identity. */
import { z } from 'zod';
import { flag, formatted, listOf, mapping } from './field-types.ts';

const headerSets = ['rfc9440', 'nginx', 'ingress-nginx', 'aws', 'envoy', 'forwarded'] as const;

const headerSet = z
  .enum(headerSets, `any of ${headerSets.join(', ')}`)
  .meta({ allowed: `any of ${headerSets.join(', ')}` });

/** Fields that the gateway reads itself (message/field-forwarding.ts), or that EHI requires. */
const required = [
  ...['host', 'content-length', 'content-type', 'transfer-encoding', 'connection', 'expect'],
  ...['traceparent', 'tracestate'],
];

/** RFC 9110 §5.6.2, and a `*` at the end. */
const fieldName = formatted({
  allowed: 'the name of a field such as X-User, or the beginning of names such as X-User-*',
  pattern: /^[!#$%&'+.^_`|~0-9A-Za-z-]+\*?$/,
}).refine((name) => !required.includes(name.toLowerCase()), {
  error: `a field other than ${required.join(', ')}, which the gateway or the host needs`,
});

export const identitySchema = mapping({
  headers: listOf(headerSet, 'header sets')
    .refine((sets) => new Set(sets).size === sets.length, 'each header set once')
    .prefault(['rfc9440'])
    .describe(
      'Which sets of header fields carry the client’s identity to the host, beside `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id`; docs/identity.md lists them. The fields of all sets are removed from the client’s requests, whether they are set here or not.',
    ),
  remove: z
    .array(fieldName, 'a list of names of fields')
    .max(256, 'a list of at most 256 names of fields')
    .meta({ allowed: 'a list of names of fields' })
    .prefault([])
    .describe(
      'More header fields that the host trusts and that a client must not set; `X-User-*` means each name that starts with `X-User-`. They are removed from requests, in any case and with any separator, like those of docs/removed-fields.md.',
    ),
  chain: flag()
    .prefault(false)
    .describe(
      'true: sends `Client-Cert-Chain` too, with the CAs between leaf and root. Only with `rfc9440` in `headers`.',
    ),
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
  .describe('How the host gets the identity of the client.');
