/** The admin page: asks for the status, and shows what is known of it. */
import { Charts } from './charts/charts.ts';
import { commonBudget } from './charts/figures.ts';
import { showIcon } from './icon.ts';
import { poll } from './poll.ts';
import { render } from './render.ts';
import { fail, initialState, receive } from './state.ts';
import { setUpTheme } from './theme.ts';
import { viewOf } from './view.ts';

let state = initialState;
const open = new Set<string>();
const charts = new Charts();
const places = [...document.querySelectorAll<HTMLElement>('[data-place]')];
const announcer = document.querySelector<HTMLElement>('#announcer');

function show(): void {
  const view = viewOf(state, { at: Date.now(), open });
  if (document.title !== view.title) document.title = view.title;
  showIcon(view.freshness.kind === 'stale' ? 'unknown' : view.headline.level);
  document.documentElement.dataset.freshness = view.freshness.kind;
  for (const element of places) {
    const place = element.dataset.place ?? '';
    render(element, view.places.get(place) ?? []);
    element.classList.toggle('stale', view.stale.has(place));
  }
  if (announcer !== null && announcer.textContent !== view.announcement)
    announcer.textContent = view.announcement;
  const history = state.parts.history.value;
  if (history !== null) charts.draw(history, commonBudget(state.parts.now.value));
}

function toggle(id: string, isOpen: boolean): void {
  if (isOpen === open.has(id)) return;
  if (isOpen) open.add(id);
  else open.delete(id);
  show();
}

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest<HTMLElement>('[data-toggle]') : null;
  const id = button?.dataset.toggle;
  if (id !== undefined) toggle(id, !open.has(id));
});
document.addEventListener(
  'toggle',
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement)) return;
    const id = target.dataset.details;
    if (id !== undefined) toggle(id, target.open);
  },
  // It does not bubble.
  { capture: true },
);

setUpTheme(() => charts.repaint());
show();
poll({
  received: (answer) => {
    state = receive(state, answer);
    show();
  },
  failed: (failure) => {
    state = fail(state, failure);
    show();
  },
});
// Ages go on between two answers.
setInterval(() => {
  if (!document.hidden) show();
}, 1_000);
