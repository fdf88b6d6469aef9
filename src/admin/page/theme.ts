/** Light or dark: as the system has it, or as the reader chose on this machine. */

type Theme = 'auto' | 'light' | 'dark';

const key = 'ehi-gateway-theme';

/** Sets up the switch; `changed` runs after each change of the colours. */
export function setUpTheme(changed: () => void): void {
  const switches = [...document.querySelectorAll<HTMLInputElement>('input[name="theme"]')];
  apply(remembered());
  for (const each of switches) {
    each.checked = each.value === remembered();
    each.addEventListener('change', () => {
      remember(each.value as Theme);
      apply(each.value as Theme);
      changed();
    });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

function apply(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function remembered(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    // A browser may forbid storage.
    return 'auto';
  }
}

function remember(theme: Theme): void {
  try {
    if (theme === 'auto') localStorage.removeItem(key);
    else localStorage.setItem(key, theme);
  } catch {
    // The choice then lasts until the page is closed.
  }
}
