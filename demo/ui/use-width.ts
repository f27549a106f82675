/** A hook that measures an element. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** The width of an element in pixels. Charts are drawn for this width, so that their text is as
 *  large as other text. */
export function useWidth<T extends Element>(first: number) {
  const element = useRef<T>(null);
  const width = useSignal(first);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) width.value = Math.round(entry.contentRect.width);
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return { element, width: width.value };
}
