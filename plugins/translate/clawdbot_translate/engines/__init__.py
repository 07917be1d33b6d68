"""What translates: the chat model, LibreTranslate, Google, all behind one small contract."""
