'use client';

import { useEffect } from 'react';
import { loadModel } from 'tokenglass';
import storybook from 'tokenglass/storybook';
import { main } from '../program.mjs';

export default function Page() {
  useEffect(() => {
    main({ loadModel, storybook });
  }, []);
  return <p>The result is in the console&#39;s globalThis.result.</p>;
}
