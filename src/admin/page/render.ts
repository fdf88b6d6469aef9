/** Brings the DOM to a description with the fewest changes: focus, selection and open details of a reader stay. */
import type { Child, Element as Described } from './element.ts';

/** What an element was made of the last time. */
const described = new WeakMap<Node, Described>();

/** Replaces the children of `parent`. Text becomes text nodes; attributes are set by name. */
export function render(parent: Element, children: readonly Child[]): void {
  const keyed = new Map<string, Node>();
  for (const node of parent.childNodes) {
    const key = described.get(node)?.key;
    if (key) keyed.set(key, node);
  }
  let next: ChildNode | null = parent.firstChild;
  for (const child of children) {
    const old = typeof child !== 'string' && child.key !== null ? keyed.get(child.key) : next;
    const node = fits(old ?? null, child) ? update(old as Node, child) : create(child);
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
  while (next !== null) {
    const unused: ChildNode = next;
    next = next.nextSibling;
    unused.remove();
  }
}

function fits(node: Node | null, child: Child): boolean {
  if (node === null) return false;
  if (typeof child === 'string') return node.nodeType === Node.TEXT_NODE;
  const before = described.get(node);
  return before !== undefined && before.tag === child.tag && before.key === child.key;
}

function update(node: Node, child: Child): Node {
  if (typeof child === 'string') {
    if (node.nodeValue !== child) node.nodeValue = child;
    return node;
  }
  const element = node as HTMLElement;
  const before = described.get(node)?.attributes ?? {};
  for (const name of Object.keys(before)) {
    if (!(name in child.attributes)) removeAttribute(element, name);
  }
  for (const [name, value] of Object.entries(child.attributes)) {
    if (before[name] !== value) setAttribute(element, name, value);
  }
  described.set(element, child);
  if (!('data-own' in child.attributes)) render(element, child.children);
  return element;
}

function create(child: Child): Node {
  if (typeof child === 'string') return document.createTextNode(child);
  const element = document.createElement(child.tag);
  described.set(element, { ...child, attributes: {} });
  return update(element, child);
}

/** Style only by the CSSOM: the content security policy refuses style attributes. */
function setAttribute(element: HTMLElement, name: string, value: string): void {
  if (name.startsWith('--')) element.style.setProperty(name, value);
  else element.setAttribute(name, value);
}

function removeAttribute(element: HTMLElement, name: string): void {
  if (name.startsWith('--')) element.style.removeProperty(name);
  else element.removeAttribute(name);
}
