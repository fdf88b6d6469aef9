/** The kinds of values in the schema of the status document. Each is described (`says`), since its page is generated from the schema. */
import { z } from 'zod';

export const record = <const Shape extends z.ZodRawShape>(shape: Shape, says: string) =>
  z.object(shape).readonly().describe(says);
export const list = <Item extends z.ZodType>(item: Item, says: string) =>
  z.array(item).readonly().describe(says);
export const text = (says: string) => z.string().describe(says);
export const time = (says: string) => z.string().meta({ format: 'date-time', description: says });
export const count = (says: string) => z.int().min(0).describe(says);
export const number = (says: string) => z.number().min(0).describe(says);
export const maybe = <Value extends z.ZodType>(value: Value) =>
  value.nullable().describe(value.description ?? '');
