/** The part of the policy by which a relay thread forwards messages; replaced as a whole. */
import type { RequestFields } from '../message/field-forwarding.ts';
import type { Limits, Timeouts } from '../policy/snapshot.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { IdentityFields } from './compiled-header-sets.ts';
import type { RouteTable } from './route-table.ts';

export interface RelayPolicy {
  readonly routes: RouteTable;
  readonly identityFields: IdentityFields;
  /** Which fields of the client are forwarded. */
  readonly requestFields: RequestFields;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** null: the gateway creates no spans. */
  readonly tracer: Tracer | null;
}
