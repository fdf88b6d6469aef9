/** Descriptions of DOM elements as plain values, so that what is shown is decided without a browser. */

export interface Element {
  readonly tag: string;
  /** A name that begins with `--` is a custom property of the element's style. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Child[];
  /** Identifies the element among its siblings, so that it stays the same element when others come or go. */
  readonly key: string | null;
}

/** A string is text, never HTML. */
export type Child = Element | string;

/** `null` and `false` stand for nothing, so that a condition can stand among children. */
export type Content = Child | null | false | readonly Content[];

/** The attribute `key` is the element's key. */
export function el(
  tag: string,
  attributes: Readonly<Record<string, string>> = {},
  ...content: readonly Content[]
): Element {
  const { key = null, ...rest } = attributes;
  return { tag, attributes: rest, children: flatten(content), key };
}

/** An element whose content is not described here: the renderer leaves its children alone. */
export function ownContent(attributes: Readonly<Record<string, string>>): Element {
  return el('div', { ...attributes, 'data-own': '' });
}

/** The text that a screen reader gets of an element. */
export function textOf(child: Child): string {
  return typeof child === 'string' ? child : child.children.map(textOf).join('');
}

function flatten(content: readonly Content[]): Child[] {
  return content.flatMap((each) => {
    if (each === null || each === false) return [];
    return isList(each) ? flatten(each) : [each];
  });
}

function isList(content: Content): content is readonly Content[] {
  return Array.isArray(content);
}
