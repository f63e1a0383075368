// Runs before the first paint, so that a page in the other theme than the system's does not flash.
{
  const theme = localStorage.getItem('promptroom.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}
