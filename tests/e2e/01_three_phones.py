"""Three foreign phones meet through the factory and hear each other"""
import lib
import phones


def main(env):
    phones.conference(env, env.server())


if __name__ == '__main__':
    lib.run(main)
