"""The same with a different codec on each phone: the mixer transcodes"""
import capture
import phones


def main(env):
    phones.conference(env, env.server(), codecs=('pcma', 'g722', 'opus'))


if __name__ == '__main__':
    capture.run(main)
